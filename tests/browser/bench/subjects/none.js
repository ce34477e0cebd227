export const init = async () => ({ log: () => undefined });
