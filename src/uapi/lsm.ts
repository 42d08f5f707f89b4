/** Security modules (linux/lsm.h). */
export const LSM_ID_CAPABILITY = 100;
/** Only attributes of the module that was passed to lsm_get_self_attr. */
export const LSM_FLAG_SINGLE = 1;
