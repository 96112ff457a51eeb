export * from '../../../output/error_page.js';
