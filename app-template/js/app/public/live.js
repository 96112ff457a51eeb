// Shows notes that others write, and hides those that are removed, while the page is open.
const list = document.querySelector('#notes');
const find = (id) => list.querySelector(`[data-id="${id}"]`);
const events = new EventSource('/live');

events.addEventListener('open', () => {
  document.body.dataset.live = 'yes';
});

events.addEventListener('created', ({ data }) => {
  const { id, author, text } = JSON.parse(data);
  if (find(id)) return;
  const name = document.createElement('b');
  name.textContent = author;
  const item = document.createElement('li');
  item.dataset.id = id;
  item.append(name, ' ', text);
  list.prepend(item);
});

events.addEventListener('removed', ({ data }) => find(JSON.parse(data).id)?.remove());
