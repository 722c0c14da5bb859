/** The buttons to copy, download and print new recovery codes. */
const codes = [...document.querySelectorAll('#codes code')].map(({ textContent }) => textContent);
const text = `${codes.join('\n')}\n`;
const keep = document.querySelector<HTMLElement>('#keep');
const copy = document.querySelector('#copy');

if (keep) keep.hidden = false;

copy?.addEventListener('click', () => {
  void navigator.clipboard.writeText(text).then(() => {
    copy.textContent = keep?.dataset.copied ?? '';
  });
});

document.querySelector('#download')?.addEventListener('click', () => {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
  link.download = 'recovery-codes.txt';
  link.click();
  URL.revokeObjectURL(link.href);
});

document.querySelector('#print')?.addEventListener('click', () => {
  print();
});
