/**
 * For every page: a browser that goes back may show a page from its memory, of an account that is signed out by
 * now. Such a page is loaded anew.
 */
addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload();
});

// A second click on a slow server would send the form twice.
addEventListener('submit', (event) => {
  const { submitter, target } = event;
  // A download leaves its page as it is, and may be asked for again.
  if (target instanceof HTMLFormElement && 'download' in target.dataset) return;
  // The browser has to read the form first.
  setTimeout(() => {
    submitter?.setAttribute('disabled', '');
  });
});

// The server shows times in UTC, because it does not know the time zone of the browser.
const { lang } = document.documentElement;
const format = new Intl.DateTimeFormat(lang === 'en' ? 'en-GB' : lang, {
  dateStyle: 'medium',
  timeStyle: 'short',
});
for (const time of document.querySelectorAll('time')) {
  time.textContent = format.format(new Date(time.dateTime));
}
