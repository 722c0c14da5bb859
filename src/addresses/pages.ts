/** Where the pages stand that mailed links lead to; a project that has its own may change them here. */
export const PAGES = {
  'verify-email': '/account/verify-email',
  'change-email': '/account/confirm-email',
  'undo-email-change': '/account/undo-email-change',
  'reset-password': '/account/reset-password',
} as const;
