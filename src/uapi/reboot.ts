/** reboot(2). Words, as unsigned numbers. */
export const LINUX_REBOOT_MAGIC1 = 0xfee1_dead;
export const LINUX_REBOOT_MAGICS2: readonly number[] = [672274793, 85072278, 369367448, 537993216];

export const LINUX_REBOOT_CMD_RESTART = 0x0123_4567;
export const LINUX_REBOOT_CMD_HALT = 0xcdef_0123;
export const LINUX_REBOOT_CMD_CAD_ON = 0x89ab_cdef;
export const LINUX_REBOOT_CMD_CAD_OFF = 0;
export const LINUX_REBOOT_CMD_POWER_OFF = 0x4321_fedc;
export const LINUX_REBOOT_CMD_RESTART2 = 0xa1b2_c3d4;
