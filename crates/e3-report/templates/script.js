// The page is whole without this: it turns native tooltips into quicker ones, legends into switches, moves the guides of
// a stage's charts together, and saves a chart or its numbers as a file, all without the network.
(() => {
  'use strict';
  document.documentElement.classList.add('js');
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const element = (name, parent, properties) => {
    const made = Object.assign(document.createElement(name), properties);
    parent?.append(made);
    return made;
  };
  const tip = element('div', document.body, { className: 'tip', hidden: true });
  const live = element('div', document.body, { className: 'unseen' });
  live.setAttribute('aria-live', 'polite');

  // What is said of a place: a heading, then a line per series in its colour.
  const row = (line, colour) => {
    const said = document.createElement('div');
    element('i', said, { className: colour ?? '' });
    said.append(line);
    return said;
  };
  const show = (hit, x, y) => {
    const [heading, ...lines] = hit.said;
    tip.replaceChildren(element('b', null, { textContent: heading }), ...lines.map((line, index) => row(line, hit.colours[index])));
    tip.hidden = false;
    const { width, height } = tip.getBoundingClientRect();
    const right = x + 16 + width < window.innerWidth;
    tip.style.left = `${Math.max(6, right ? x + 16 : x - 16 - width)}px`;
    tip.style.top = `${Math.max(6, Math.min(y - height / 2, window.innerHeight - height - 6))}px`;
  };
  const hide = () => { tip.hidden = true; };
  for (const hit of all('.hit')) {
    const title = hit.querySelector('title');
    hit.said = title.textContent.split('\n');
    hit.colours = hit.dataset.classes.split(' ');
    title.remove();
    hit.addEventListener('pointermove', (event) => show(hit, event.clientX, event.clientY));
    hit.addEventListener('pointerleave', hide);
  }

  // Numbers as the rest of the report writes them: three significant digits.
  const number = (value) => {
    if (!Number.isFinite(value)) return '–';
    if (value === 0) return '0';
    const rounded = Number(value.toPrecision(3));
    const digits = Math.min(12, Math.max(0, 2 - Math.floor(Math.log10(Math.abs(rounded)))));
    return rounded.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  };
  const bytes = (value) => {
    let rest = value;
    for (const unit of ['B', 'kB', 'MB', 'GB', 'TB']) {
      if (Math.abs(rest) < 999.5) return `${number(rest)} ${unit}`;
      rest /= 1000;
    }
    return `${number(rest)} PB`;
  };
  const shown = (value, unit) => {
    if (value === null || value === undefined) return '–';
    switch (unit) {
      case 'bytes': return bytes(value);
      case 'bytes/s': return `${bytes(value)}/s`;
      case '1/s': return `${number(value)}/s`;
      case 'ms': return value >= 999.5 ? `${number(value / 1000)} s` : `${number(value)} ms`;
      case '': return number(value);
      default: return `${number(value)} ${unit}`;
    }
  };

  // A second of a stage, in all of its charts at once.
  const axis = (svg) => {
    const [left, right, top, bottom, seconds] = svg.dataset.time.split(' ').map(Number);
    return { left, right, top, bottom, seconds };
  };
  const valuesOf = (group) => {
    group.values ??= JSON.parse(group.querySelector('script.values')?.textContent ?? '{}');
    return group.values;
  };
  const readings = (group, stem, second) => {
    const panel = valuesOf(group)[stem];
    return (panel?.series ?? []).map(([, , , step, values]) => shown(values[Math.floor(second / step)], panel.unit));
  };
  const point = (group, second) => {
    group.second = second;
    for (const svg of all('svg[data-time]', group)) {
      const { left, right, top, bottom, seconds } = axis(svg);
      const x = left + (Math.floor(second) + 0.5) / seconds * (right - left);
      svg.linked ??= svg.appendChild(document.createElementNS('http://www.w3.org/2000/svg', 'line'));
      svg.linked.setAttribute('class', x <= right ? 'guide linked on' : 'guide linked');
      for (const [name, value] of Object.entries({ x1: x, x2: x, y1: top, y2: bottom })) svg.linked.setAttribute(name, value);
      const figure = svg.closest('figure');
      const said = readings(group, figure.dataset.stem, second);
      all('.legend output', figure).forEach((output, index) => {
        output.mean ??= output.textContent;
        output.textContent = said[index] ?? output.mean;
      });
    }
    for (const at of all('.at', group)) at.textContent = `at second ${Math.floor(second)}`;
  };
  const release = (group) => {
    group.second = undefined;
    for (const svg of all('svg[data-time]', group)) svg.linked?.setAttribute('class', 'guide linked');
    for (const output of all('.legend output', group)) output.textContent = output.mean ?? output.textContent;
    for (const at of all('.at', group)) at.textContent = at.dataset.mean;
  };
  for (const group of all('[data-linked]')) {
    for (const svg of all('svg[data-time]', group)) {
      svg.addEventListener('pointermove', (event) => {
        const { left, right, seconds } = axis(svg);
        const { x } = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
        if (x < left || x > right) return release(group);
        point(group, Math.min(seconds - 0.001, (x - left) / (right - left) * seconds));
      });
      svg.addEventListener('pointerleave', () => release(group));
    }
  }

  // The same by keyboard: arrows move from place to place, Home and End to the ends, Escape leaves.
  const speak = (text) => { live.textContent = text; };
  const stepTo = (svg, places, index) => {
    all('.hit.on', svg).forEach((hit) => hit.classList.remove('on'));
    svg.at = Math.max(0, Math.min(places - 1, index));
    return svg.at;
  };
  const toHit = (svg, hits, index) => {
    const hit = hits[stepTo(svg, hits.length, index)];
    hit.classList.add('on');
    const box = hit.getBoundingClientRect();
    show(hit, box.left + box.width / 2, box.top + box.height / 2);
    const group = svg.closest('[data-linked]');
    if (group && svg.dataset.time) point(group, Number(hit.said[0].match(/\d+/)?.[0] ?? 0));
    speak(hit.said.join('. '));
  };
  const toSecond = (svg, index) => {
    const group = svg.closest('[data-linked]');
    const second = stepTo(svg, Math.ceil(axis(svg).seconds), index);
    point(group, second);
    const figure = svg.closest('figure');
    const names = all('.legend span', figure).map((name) => name.textContent);
    speak(`second ${second}: ${readings(group, figure.dataset.stem, second).map((value, place) => `${names[place]} ${value}`).join(', ')}`);
  };
  const leave = (svg) => {
    hide();
    all('.hit.on', svg).forEach((hit) => hit.classList.remove('on'));
    const group = svg.closest('[data-linked]');
    if (group) release(group);
  };
  for (const svg of all('.plot > svg')) {
    const hits = all('.hit', svg);
    const isRows = hits.some((hit) => hit.classList.contains('row'));
    if (!hits.length && !(svg.dataset.time && svg.closest('[data-linked]'))) continue;
    svg.tabIndex = 0;
    svg.setAttribute('aria-description', 'Arrow keys move along the chart and read its values.');
    svg.addEventListener('keydown', (event) => {
      const last = (hits.length || Math.ceil(axis(svg).seconds)) - 1;
      const here = svg.at ?? -1;
      const moves = { ArrowLeft: here - 1, ArrowRight: here + 1, Home: 0, End: last };
      if (isRows) Object.assign(moves, { ArrowUp: here - 1, ArrowDown: here + 1 });
      if (event.key === 'Escape') return leave(svg);
      if (!(event.key in moves) || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      if (hits.length) toHit(svg, hits, moves[event.key]);
      else toSecond(svg, moves[event.key]);
    });
    svg.addEventListener('blur', () => leave(svg));
  }

  // A part is off when any of its series is. A legend rules its own figure, or the whole group that it heads.
  for (const button of all('[data-switch]')) {
    button.addEventListener('click', () => {
      const on = button.getAttribute('aria-pressed') !== 'true';
      button.setAttribute('aria-pressed', String(on));
      const legend = button.closest('.legend');
      const scope = legend.closest('figure') ?? legend.nextElementSibling;
      const off = all('[aria-pressed="false"]', legend).map((other) => other.dataset.switch);
      for (const part of all('[data-series]', scope)) {
        part.classList.toggle('off', part.dataset.series.split(' ').some((series) => off.includes(series)));
      }
    });
  }

  // Files are made here, from what the page already holds.
  const quoted = (field) => (/[",\n\r]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field);
  const lines = (rows) => rows.map((fields) => `${fields.map((field) => quoted(String(field))).join(',')}\n`).join('');
  const plain = (cell) => {
    if (cell.dataset.v !== undefined) return cell.dataset.v;
    const text = cell.firstChild?.nodeType === Node.TEXT_NODE ? cell.firstChild.data : '';
    return text === '–' ? '' : text;
  };
  const csvOf = (figure) => {
    const group = figure.closest('[data-linked]');
    const panel = group && valuesOf(group)[figure.dataset.stem];
    if (panel) {
      const rows = panel.series.flatMap(([source, subject, name, step, values]) =>
        values.map((value, index) => [source, subject, name, panel.unit, index * step, value ?? '']));
      return lines([['source', 'subject', 'name', 'unit', 'second', 'value'], ...rows]);
    }
    const table = figure.querySelector('.numbers table');
    const head = all('thead th', table).map((cell) => cell.textContent);
    return lines([head, ...all('tbody tr', table).map((line) => [...line.cells].map(plain))]);
  };
  const svgOf = (figure) => {
    const space = 'http://www.w3.org/2000/svg';
    const drawn = figure.querySelector('.plot > svg');
    const [left, top, width, height] = drawn.dataset.alone.split(' ').map(Number);
    const copy = drawn.cloneNode(true);
    for (const name of ['data-alone', 'data-time', 'tabindex', 'aria-description']) copy.removeAttribute(name);
    for (const [name, value] of Object.entries({ viewBox: `${left} ${top} ${width} ${height}`, width, height })) copy.setAttribute(name, value);
    all('.linked', copy).forEach((line) => line.remove());
    all('.alone', copy).forEach((part) => part.setAttribute('class', 'shown'));
    all('.hit', copy).forEach((hit, index) => {
      hit.classList.remove('on');
      hit.append(Object.assign(document.createElementNS(space, 'title'), { textContent: all('.hit', drawn)[index].said.join('\n') }));
    });
    const ground = document.createElementNS(space, 'rect');
    for (const [name, value] of Object.entries({ class: 'ground', x: left, y: top, width, height })) ground.setAttribute(name, value);
    const style = document.createElementNS(space, 'style');
    style.textContent = document.getElementById('alone-style').textContent;
    copy.prepend(style, ground);
    return `${new XMLSerializer().serializeToString(copy)}\n`;
  };
  const kinds = { svg: ['image/svg+xml', svgOf], csv: ['text/csv', csvOf] };
  for (const button of all('[data-save]')) {
    const title = button.closest('figure').querySelector('h3').textContent;
    button.setAttribute('aria-label', `Save as ${button.textContent}: ${title}`);
    button.addEventListener('click', () => {
      const figure = button.closest('figure');
      const [type, made] = kinds[button.dataset.save];
      const address = URL.createObjectURL(new Blob([made(figure)], { type: `${type};charset=utf-8` }));
      const link = element('a', document.body, { href: address, hidden: true });
      link.download = `${document.body.dataset.run}-${figure.dataset.stem}.${button.dataset.save}`;
      link.click();
      link.remove();
      setTimeout(() => URL.revokeObjectURL(address), 10000);
    });
  }

  // A link into a folded part unfolds it. Paper cannot be unfolded; the numbers behind the charts stay folded.
  const unfold = () => {
    let part = location.hash.length > 1 ? document.getElementById(decodeURIComponent(location.hash.slice(1))) : null;
    for (; part; part = part.parentElement) if (part.tagName === 'DETAILS') part.open = true;
  };
  window.addEventListener('hashchange', unfold);
  unfold();
  let unfolded = [];
  window.addEventListener('beforeprint', () => {
    unfolded = all('details.load:not([open]), details.threshold:not([open])');
    for (const part of unfolded) part.open = true;
  });
  window.addEventListener('afterprint', () => {
    for (const part of unfolded) part.open = false;
  });
})();
