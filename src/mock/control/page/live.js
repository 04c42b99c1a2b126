const list = document.getElementById('exchanges');
const state = document.getElementById('live');
const source = new EventSource(list.dataset.stream);
source.onopen = () => { state.textContent = 'live'; };
source.onerror = () => { state.textContent = 'not live: the server does not answer'; };
source.addEventListener('exchange', (event) => {
  list.insertAdjacentHTML('afterbegin', event.data);
  while (list.children.length > 200) list.lastElementChild.remove();
  const nothing = document.getElementById('nothing');
  if (nothing) nothing.remove();
});
// What is typed into a search is found at once, by the same rule as on the server.
for (const field of document.querySelectorAll('.shelf input[type=search]')) {
  const rows = [...field.form.querySelectorAll('tr')];
  field.addEventListener('input', () => {
    const words = field.value.toLowerCase().split(/\s+/);
    for (const row of rows) {
      const text = `${row.cells[1].textContent} ${row.cells[2].textContent}`.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    }
    field.form.querySelector('[role=status]').textContent = `${rows.filter((row) => !row.hidden).length} found`;
  });
}
