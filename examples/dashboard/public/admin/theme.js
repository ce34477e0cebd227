// Before the first paint, so that a chosen theme never flashes. A file of its own: the CSP allows no inline script.
try {
  var theme = localStorage.getItem('omnify.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch (e) {}
