// For the page's head: keeps errors that happen before the logger is there.
(() => {
  const q: Event[] = [];
  const h = (event: Event): void => {
    if (q.length < 20) q.push(event);
  };
  addEventListener('error', h, true);
  addEventListener('unhandledrejection', h);
  window.omnifyEarly = {
    q,
    s: () => {
      removeEventListener('error', h, true);
      removeEventListener('unhandledrejection', h);
    },
  };
})();
