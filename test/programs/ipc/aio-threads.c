/* One thread submits reads, another takes their events: what was read is there by then, however soon it looks. */
#include "../check.h"
#include <linux/aio_abi.h>
#include <pthread.h>

#define SIZE 16384
#define WORDS (SIZE / 4)
#define BLOCKS 64
#define BUFFERS 8
#define READS 4000

static aio_context_t context;
static uint32_t buffers[BUFFERS][WORDS];
static struct iocb requests[BUFFERS];
static volatile int is_free[BUFFERS];
static int early, short_reads;

static void *take(void *unused)
{
	for (int taken = 0; taken < READS; taken++) {
		struct io_event event;

		MUST(syscall(SYS_io_getevents, context, 1, 1, &event, NULL));
		uint32_t *got = buffers[event.data], block = (uint32_t)(requests[event.data].aio_offset / SIZE);

		short_reads += event.res != SIZE;
		for (int i = 0; i < WORDS; i += 64)
			if (got[i] != block) {
				early++;
				break;
			}
		memset(got, 0xee, SIZE);
		__atomic_store_n(&is_free[event.data], 1, __ATOMIC_SEQ_CST);
	}
	return unused;
}

static int free_buffer(void)
{
	for (int i = 0;; i = (i + 1) % BUFFERS)
		if (__atomic_load_n(&is_free[i], __ATOMIC_SEQ_CST))
			return i;
}

int main(void)
{
	char name[] = "aio-XXXXXX";
	int fd = MUST(mkstemp(name));
	pthread_t taker;

	for (uint32_t block = 0; block < BLOCKS; block++) {
		for (int i = 0; i < WORDS; i++)
			buffers[0][i] = block;
		MUST(write(fd, buffers[0], SIZE));
	}
	MUST(syscall(SYS_io_setup, BUFFERS, &context));
	memset(buffers, 0xee, sizeof buffers);
	for (int i = 0; i < BUFFERS; i++)
		is_free[i] = 1;
	pthread_create(&taker, NULL, take, NULL);
	for (int n = 0; n < READS; n++) {
		int i = free_buffer();
		struct iocb *request = &requests[i];

		is_free[i] = 0;
		*request = (struct iocb){ .aio_data = (unsigned)i, .aio_fildes = (unsigned)fd, .aio_lio_opcode = IOCB_CMD_PREAD,
					  .aio_buf = (uintptr_t)buffers[i], .aio_nbytes = SIZE,
					  .aio_offset = n * 7 % BLOCKS * SIZE };
		MUST(syscall(SYS_io_submit, context, 1, &request));
	}
	pthread_join(taker, NULL);
	unlink(name);
	say("%d events before their data, %d short reads\n", early, short_reads);
	return 0;
}
