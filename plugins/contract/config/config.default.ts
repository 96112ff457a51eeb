import type { AppInfo } from '../../../framework/index.js';

export default ({ env }: AppInfo) => ({
  contract: {
    /** The API document as JSON; false turns it off. By default it is served in local and unittest only. */
    openapi: env === 'local' || env === 'unittest' ? '/openapi.json' : (false as string | false),
    /** A page that shows it; false turns it off. */
    page: env === 'local' ? '/openapi' : (false as string | false),
    /** Whether a response that breaks its contract is an error. */
    checkResponse: env === 'local' || env === 'unittest',
  },
});
