// Preloaded into the kernel's process (node --require): bugs. A file's name finds one in a system call's handler, SIGUSR2
// one where no task can be blamed; with FAULT=start there is no machine at all.
'use strict';
const modules = require('node:module');
const load = modules._load;
modules._load = (name, ...rest) => {
  if (name === 'koffi' && process.env.FAULT === 'start') throw new Error('a fault');
  return load(name, ...rest);
};
const { get } = Map.prototype;
Map.prototype.get = function (key) {
  if (key === 'fault-in-a-call') throw new Error('a fault');
  return get.call(this, key);
};
process.on('SIGUSR2', () => {
  throw new Error('a fault');
});
