/** Devices in sysfs: a directory for the device, and links to it from its class and from its number. */
import type { Attribute, Sysfs } from './sysfs.ts';

export interface SysfsDevice {
  /** 'mem', 'tty', 'net', 'block'... */
  readonly class: string;
  readonly name: string;
  /** The directory of its parent below /sys; by default 'devices/virtual/CLASS'. */
  readonly parent?: string;
  /** Its node below /dev, for devices that have one. */
  readonly node?: {
    readonly major: number;
    readonly minor: number;
    readonly name: string;
    readonly mode?: number;
  };
  readonly attributes?: readonly Attribute[];
}

const pathOf = (device: SysfsDevice): string =>
  `${device.parent ?? `devices/virtual/${device.class}`}/${device.name}`;

/** Links to the device: from its class, from its number, and for disks from /sys/block. */
function linksTo({ class: kind, name, node }: SysfsDevice): string[] {
  const links = [`class/${kind}/${name}`];
  if (node !== undefined)
    links.push(`dev/${kind === 'block' ? 'block' : 'char'}/${node.major}:${node.minor}`);
  if (kind === 'block') links.push(`block/${name}`);
  return links;
}

function uevent({ node }: SysfsDevice): string {
  if (node === undefined) return '';
  const mode = node.mode === undefined ? '' : `DEVMODE=0${node.mode.toString(8)}\n`;
  return `MAJOR=${node.major}\nMINOR=${node.minor}\nDEVNAME=${node.name}\n${mode}`;
}

export function addSysfsDevice(sysfs: Sysfs, device: SysfsDevice): void {
  const path = pathOf(device);
  const { node } = device;
  if (node !== undefined) sysfs.attribute(path, { name: 'dev', show: () => `${node.major}:${node.minor}\n` });
  // A write asks for an event; there is no listener to send one to.
  sysfs.attribute(path, { name: 'uevent', show: () => uevent(device), store: () => 0 });
  sysfs.attributes(path, device.attributes ?? []);
  sysfs.dir(`class/${device.class}`);
  sysfs.link(`${path}/subsystem`, `class/${device.class}`);
  for (const link of linksTo(device)) sysfs.link(link, path);
}
