/** Names of elements that stay the same between releases, languages and renders, as far as the page allows. */
const INTERACTIVE =
  'a,button,input,select,textarea,summary,label,option,[role=button],[role=link],[role=tab],[role=menuitem],[role=option],[role=switch],[role=checkbox],[data-track],[contenteditable]';
const LONGEST = 60;

/** The element that a click was meant for; `null` where nothing invites a click. */
export function clicked(event: Event): Element | null {
  const target = event.composedPath()[0];
  if (!(target instanceof Element)) return null;
  const found = target.closest(INTERACTIVE);
  if (found) return found;
  return getComputedStyle(target).cursor === 'pointer' ? target : null;
}

/**
 * The element's name: `data-track`, then `data-testid`, an id that no framework made up, an accessible
 * label, a form name, the visible text. Text within `data-private` is never read.
 */
export function nameOf(element: Element): string {
  const given = element.getAttribute('data-track');
  if (given) return given;
  const tag = element.tagName.toLowerCase();
  const test = element.getAttribute('data-testid');
  if (test) return `${tag}[${test}]`;
  if (element.id && !/\d{2}|[:«]/.test(element.id)) return `${tag}#${element.id}`;
  const label = element.getAttribute('aria-label') ?? element.getAttribute('name') ?? element.getAttribute('title');
  if (label) return `${tag} ${short(label)}`;
  const readable = !element.closest('[data-private]') && !/^(input|textarea|select)$/.test(tag);
  const text = readable ? short(element.textContent ?? '') : '';
  if (text) return `${tag} ${text}`;
  const kind = element.getAttribute('type') ?? element.getAttribute('role');
  return kind ? `${tag}[${kind}]` : tag;
}

function short(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, LONGEST);
}
