const part = (id) => document.getElementById(id);
const list = part('exchanges');
const source = new EventSource(list.dataset.stream);
const say = (text) => { if (part('live').textContent !== text) part('live').textContent = text; };
const gone = () => { source.close(); say('the realm is gone: it was removed'); };
source.onopen = () => say('live');
source.onerror = async () => {
  say('not live: the server does not answer');
  // Whoever answers otherwise than with events says why.
  if (source.readyState !== EventSource.CLOSED) return;
  const answer = await fetch(list.dataset.stream).catch(() => null);
  if (answer && answer.status === 404) gone();
  else say('not live: reload the page');
};
source.addEventListener('gone', gone);
source.addEventListener('exchange', (event) => {
  list.insertAdjacentHTML('afterbegin', event.data);
  while (list.children.length > Number(list.dataset.shown)) list.lastElementChild.remove();
});
source.addEventListener('state', (event) => {
  const { time, frozen, first, pages } = JSON.parse(event.data);
  part('clock').textContent = time;
  part('runs').textContent = frozen ? 'stands still' : 'runs';
  part('frozen').value = String(!frozen);
  part('frozen').textContent = frozen ? 'Let it run' : 'Stop it';
  // What the journal forgot is not shown either.
  for (const entry of [...list.children]) if (Number(entry.id.slice(1)) < first) entry.remove();
  if (part('pages').innerHTML !== pages) part('pages').innerHTML = pages;
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
// An empty scope shows what it stands for.
const client = document.querySelector('select[name=client]');
const follow = () => { client.form.elements.scope.placeholder = client.selectedOptions[0]?.dataset.scopes ?? ''; };
client.addEventListener('change', follow);
follow();
