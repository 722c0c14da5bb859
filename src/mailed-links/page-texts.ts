/** The texts of one page before and after the user confirms it. */
export interface PageTexts {
  title: string;
  text: string;
  button: string;
  /** The label of the new password, if the page asks for one. */
  password?: string;
  passwordHint?: string;
  done: string;
  /** The labels of what the page shows afterwards, by its names and in their order. */
  details?: Record<string, string>;
}
