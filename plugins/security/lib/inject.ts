const HIDDEN = '<!--for injection--><!--</html>--><!--for injection-->';

/** Adds the CSRF token to the forms of a template. */
export function injectCsrf(template: string): string {
  return template.replace(
    /(<form\b[^>]*>[\s\S]*?)(?=<\/form>)/gi,
    '$1\r\n<input type="hidden" name="_csrf" value="{{ctx.csrf}}" />',
  );
}

/** Adds the nonce of the content security policy to the scripts of a template. */
export function injectNonce(template: string): string {
  return template.replace(/<script(?=[\s>])([^>]*)>/gi, (tag, attributes: string) => {
    return /\snonce\s*=/i.test(attributes) ? tag : `<script${attributes} nonce="{{ctx.nonce}}">`;
  });
}

/** Puts comments around a page that spoil what is inserted on its way by a proxy. */
export function injectHijackingDefense(template: string): string {
  return `${HIDDEN}${template}${HIDDEN}`;
}
