import path from 'node:path';

/** Directory of the default framework as a load unit: it holds `app/` and `config/`. */
export const FRAMEWORK_DIR: string = path.join(import.meta.dirname, '..');
