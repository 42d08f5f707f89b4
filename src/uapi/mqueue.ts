/** POSIX message queues (mq_overview(7)). */
export const MQ_PRIO_MAX = 32768;
/** Without CAP_SYS_RESOURCE: queues, messages in one, bytes of a message; and what nobody may exceed. */
export const QUEUES_MAX = 256;
export const MSG_MAX = 10;
export const MSGSIZE_MAX = 8192;
export const HARD_MSG_MAX = 65536;
export const HARD_MSGSIZE_MAX = 16777216;
