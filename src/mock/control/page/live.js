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
