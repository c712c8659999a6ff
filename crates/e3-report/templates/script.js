// The page is whole without this: it turns native tooltips into quicker ones and legends into switches.
(() => {
  'use strict';
  document.documentElement.classList.add('js');
  const tip = document.createElement('div');
  tip.className = 'tip';
  tip.hidden = true;
  document.body.append(tip);

  const row = (line, colour) => {
    const element = document.createElement('div');
    const chip = document.createElement('i');
    if (colour) chip.className = colour;
    element.append(chip, line);
    return element;
  };

  const show = (hit, event) => {
    const [heading, ...lines] = hit.said;
    const bold = document.createElement('b');
    bold.textContent = heading;
    tip.replaceChildren(bold, ...lines.map((line, index) => row(line, hit.colours[index])));
    tip.hidden = false;
    const { width, height } = tip.getBoundingClientRect();
    const right = event.clientX + 16 + width < window.innerWidth;
    tip.style.left = `${Math.max(6, right ? event.clientX + 16 : event.clientX - 16 - width)}px`;
    tip.style.top = `${Math.max(6, Math.min(event.clientY - height / 2, window.innerHeight - height - 6))}px`;
  };

  for (const hit of document.querySelectorAll('.hit')) {
    const title = hit.querySelector('title');
    hit.said = title.textContent.split('\n');
    hit.colours = hit.dataset.classes.split(' ');
    title.remove();
    hit.addEventListener('pointermove', (event) => show(hit, event));
    hit.addEventListener('pointerleave', () => { tip.hidden = true; });
  }

  // A part is off when any of its series is. A legend rules its own figure, or the whole group that it heads.
  for (const button of document.querySelectorAll('[data-switch]')) {
    button.addEventListener('click', () => {
      const on = button.getAttribute('aria-pressed') !== 'true';
      button.setAttribute('aria-pressed', String(on));
      const legend = button.closest('.legend');
      const scope = legend.closest('figure') ?? legend.nextElementSibling;
      const off = [...legend.querySelectorAll('[aria-pressed="false"]')].map((other) => other.dataset.switch);
      for (const part of scope.querySelectorAll('[data-series]')) {
        part.classList.toggle('off', part.dataset.series.split(' ').some((series) => off.includes(series)));
      }
    });
  }

  // Paper cannot be unfolded; the numbers behind the charts stay folded.
  const folded = () => document.querySelectorAll('details.load:not([open])');
  let unfolded = [];
  window.addEventListener('beforeprint', () => {
    unfolded = [...folded()];
    for (const part of unfolded) part.open = true;
  });
  window.addEventListener('afterprint', () => {
    for (const part of unfolded) part.open = false;
  });
})();
