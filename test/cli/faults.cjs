// Preloaded into the kernel's process (node --require): bugs at two places. A file's name finds one in a system call's
// handler, SIGUSR2 one where no task can be blamed.
'use strict';
const { get } = Map.prototype;
Map.prototype.get = function (key) {
  if (key === 'fault-in-a-call') throw new Error('a fault');
  return get.call(this, key);
};
process.on('SIGUSR2', () => {
  throw new Error('a fault');
});
