/** Security modules (linux/lsm.h). */
export const LSM_ID_CAPABILITY = 100;
/** Of the module that lsm_get_self_attr is given, alone. */
export const LSM_FLAG_SINGLE = 1;
