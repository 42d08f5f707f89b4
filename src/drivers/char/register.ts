/** Adds character devices to the machine: the driver, the node in /dev, the entry in /sys. */

import type { OpenDevice } from '../../fs/devices.ts';
import type { Devtmpfs } from '../../fs/devtmpfs/devtmpfs.ts';
import { addSysfsDevice } from '../../fs/sysfs/device.ts';
import type { Sysfs } from '../../fs/sysfs/sysfs.ts';
import type { Vfs } from '../../fs/vfs.ts';

/** A device's numbers, its name and mode below /dev, and how to open it. */
export interface CharDevice {
  readonly major: number;
  readonly minor: number;
  readonly name: string;
  /** Permission bits. */
  readonly mode: number;
  readonly open: OpenDevice;
}

export interface DeviceHomes {
  readonly vfs: Vfs;
  readonly devtmpfs: Devtmpfs;
  readonly sysfs: Sysfs;
}

/** Registers devices of one class ('mem', 'misc'); /proc/devices shows the class for their major number. */
export function registerCharDevices(kind: string, devices: readonly CharDevice[], homes: DeviceHomes): void {
  for (const { major, minor, name, mode, open } of devices) {
    homes.vfs.registerCharDevice(kind, major, minor, 1, open);
    homes.devtmpfs.add({ name, block: false, mode, major, minor });
    const node = { major, minor, name };
    addSysfsDevice(homes.sysfs, { class: kind, name, node: mode === 0o600 ? node : { ...node, mode } });
  }
}
