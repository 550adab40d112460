// Sorting, filtering, copying and the choice of a theme. The page reads the same without it.
(() => {
  'use strict';
  const make = (tag, props) => Object.assign(document.createElement(tag), props);
  const root = document.documentElement;

  const dark = () => matchMedia('(prefers-color-scheme: dark)').matches;
  const theme = make('button', { type: 'button', className: 'theme' });
  const shown = () => root.dataset.theme || (dark() ? 'dark' : 'light');
  const label = () => { theme.textContent = shown() === 'dark' ? 'Light theme' : 'Dark theme'; };
  theme.addEventListener('click', () => {
    root.dataset.theme = shown() === 'dark' ? 'light' : 'dark';
    label();
  });
  label();
  document.querySelector('header').prepend(theme);

  const said = make('p', { className: 'said' });
  said.setAttribute('role', 'status');
  document.body.append(said);

  const text = (cell) => cell.textContent.replace(/\s+/g, ' ').trim();
  const number = (words) => {
    const found = words.replace(/\u2212/g, '-').replace(/,(?=\d{3})/g, '').match(/^[^\d+-]{0,3}([+-]?\d+(\.\d+)?(e-?\d+)?)/);
    return found ? Number(found[1]) : null;
  };
  const order = (a, b) => {
    const [x, y] = [number(a), number(b)];
    if (x !== null && y !== null) return x - y;
    if (x !== null || y !== null) return x !== null ? -1 : 1;
    return a.localeCompare(b);
  };

  // What is said beside a name or a figure is no part of it.
  const bare = (cell) => {
    const copy = cell.cloneNode(true);
    for (const beside of copy.querySelectorAll('small')) beside.remove();
    const words = text(copy);
    return /^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$/.test(words) ? words.replace(/,/g, '') : words;
  };
  // A spreadsheet takes text that begins like a formula for one.
  const field = (words) => {
    const plain = words.replace(/\u2212/g, '-');
    const safe = /^[=+\-@]/.test(plain) && !/^[+-]?[\d.,]+( |$)/.test(plain) ? `'${plain}` : plain;
    return /[",\r\n;]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
  };
  const csv = (table) => {
    const rows = [...table.rows].filter((row) => !row.hidden);
    const cells = (row) => [...row.cells].filter((cell) => !cell.classList.contains('c'));
    return rows.map((row) => cells(row).map((cell) => field(bare(cell))).join(',')).join('\r\n') + '\r\n';
  };
  const copy = async (words) => {
    try {
      await navigator.clipboard.writeText(words);
      return true;
    } catch {
      const area = make('textarea', { value: words, className: 'away' });
      document.body.append(area);
      area.select();
      const done = document.execCommand('copy');
      area.remove();
      return done;
    }
  };

  for (const table of document.querySelectorAll('table')) {
    const body = table.tBodies[0];
    const name = text(table.caption);
    const sheet = table.closest('.sheet');
    const tools = make('div', { className: 'tools beside' });
    const button = make('button', { type: 'button', textContent: 'Copy as CSV' });
    button.setAttribute('aria-label', `Copy as CSV: ${name}`);
    button.addEventListener('click', async () => {
      said.textContent = (await copy(csv(table))) ? `Copied: ${name}` : 'The browser does not allow to copy.';
    });
    if (body.rows.length > 8) {
      if (!sheet.classList.contains('full')) tools.className = 'tools';
      const filter = make('input', { type: 'search', placeholder: 'Filter rows' });
      filter.setAttribute('aria-label', `Filter rows: ${name}`);
      filter.addEventListener('input', () => {
        const wanted = filter.value.toLowerCase();
        let left = 0;
        for (const row of body.rows) {
          row.hidden = !row.textContent.toLowerCase().includes(wanted);
          left += row.hidden ? 0 : 1;
        }
        said.textContent = `${left} rows`;
      });
      tools.append(filter);
    }
    tools.append(button);
    sheet.prepend(tools);
    if (table.classList.contains('heat')) continue;
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, at) => {
      if (head.tagName !== 'TH') return;
      const sort = make('button', { type: 'button', className: 'sort', textContent: text(head) });
      head.replaceChildren(sort);
      sort.addEventListener('click', () => {
        const down = head.getAttribute('aria-sort') === 'ascending';
        for (const other of heads) other.removeAttribute('aria-sort');
        head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
        const rows = [...body.rows].map((row) => [text(row.cells[at]), row]);
        // The line of all rows stays last.
        const whole = ([, row]) => text(row.cells[0]) === 'All rows';
        rows.sort((a, b) => whole(a) - whole(b) || (down ? order(b[0], a[0]) : order(a[0], b[0])));
        body.append(...rows.map(([, row]) => row));
      });
    });
  }

  addEventListener('beforeprint', () => {
    for (const part of document.querySelectorAll('details')) part.open = true;
  });
  const go = () => {
    const part = location.hash && document.getElementById(location.hash.slice(1));
    if (part && part.tagName === 'DETAILS') part.open = true;
  };
  addEventListener('hashchange', go);
  go();
})();
