/** POSIX message queues (mq_overview(7)). */
export const MQ_PRIO_MAX = 32768;
/** The lowest limit of a message's bytes, and the hard limits of messages in a queue and bytes of a message. */
export const MIN_MSGSIZE_MAX = 128;
export const HARD_MSG_MAX = 65536;
export const HARD_MSGSIZE_MAX = 16777216;
