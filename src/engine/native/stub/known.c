/*
 * Known answers: that there is no such file, say, or what its attributes are, as long as neither names nor the file
 * have changed since someone with the same rights asked the same. The kernel writes the table (known-answers.ts); this
 * code only looks answers up.
 */
#include "stub.h"

struct hash {
	u32 v0, v1, v2, v3;
};

static u32 rotate(u32 x, int by)
{
	return x << by | x >> (32 - by);
}

/* HalfSipHash-1-3, as src/lib/half-siphash.ts has it. */
static void mix(struct hash *h)
{
	h->v0 += h->v1;
	h->v1 = rotate(h->v1, 5) ^ h->v0;
	h->v0 = rotate(h->v0, 16);
	h->v2 += h->v3;
	h->v3 = rotate(h->v3, 8) ^ h->v2;
	h->v0 += h->v3;
	h->v3 = rotate(h->v3, 7) ^ h->v0;
	h->v2 += h->v1;
	h->v1 = rotate(h->v1, 13) ^ h->v2;
	h->v2 = rotate(h->v2, 16);
}

static void add(struct hash *h, u32 word)
{
	h->v3 ^= word;
	mix(h);
	h->v0 ^= word;
}

static u32 half(struct hash *h)
{
	mix(h);
	mix(h);
	mix(h);
	return h->v1 ^ h->v3;
}

/* The call's number, its arguments that are numbers, the name's length, and the name in words, padded with zeros. */
static void add_call(struct hash *h, void *slot, u32 numbers, u32 length)
{
	u32 at, i;

	add(h, AT(u32, slot, S_CALL_NR));
	for (i = 0; i < 6; i++)
		if (numbers >> i & 1)
			add(h, AT(u32, slot, S_CALL_ARGS + 8 * i));
	add(h, length);
	for (at = 0; at + 4 <= length; at += 4)
		add(h, AT(u32, slot, S_IN0 + at));
	if (at < length)
		add(h, AT(u32, slot, S_IN0 + at) & ((1U << 8 * (length & 3)) - 1));
}

/* Copies what the call writes before it is known to be whole, as the kernel may be writing there. */
static int fetch_data(struct hash *h, u32 place, u32 length, u32 *to)
{
	u64 from = STUB_KNOWN + KNOWN_DATA + KNOWN_DATA_ENTRY * place;
	u32 i;

	if (length > KNOWN_DATA_ENTRY)
		return -1;
	for (i = 0; 4 * i < length; i++)
		to[i] = AT(u32, from, 4 * i) ^ half(h);
	return 0;
}

static int write_out(void *slot, u32 out, const u32 *data, u32 length)
{
	if (length == 0)
		return 0;
	return out == 0 ? -1 : copy_bytes((void *)AT(u64, slot, S_CALL_ARGS + 8 * (out - 1)), data, length) == 0 ? 0 : -1;
}

/* The answer in one of its two possible places. `h` goes on to give the words that hide its data. */
static int answer_at(void *slot, u32 place, u32 low, u32 high, struct hash h, u32 out)
{
	u64 entry = STUB_KNOWN + KNOWN_ENTRY * place;
	u32 data[KNOWN_DATA_ENTRY / 4];
	u32 answer, more;

	/* The kernel may be writing there. If this word is the same after, it belongs to what was read in between. */
	answer = __atomic_load_n((u32 *)(entry + 8), __ATOMIC_ACQUIRE);
	if (answer >> 8 != AT(u32, STUB_GLOBAL, G_EPOCH) || AT(u32, entry, 0) != low || AT(u32, entry, 4) != high)
		return 0;
	more = (answer & 255) == KNOWN_GOOD ? AT(u32, entry, 12) : 0;
	if (fetch_data(&h, place & (KNOWN_DATA_ENTRIES - 1), more & 0xffff, data) != 0)
		return 0;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (AT(u32, entry, 8) != answer || write_out(slot, out, data, more & 0xffff) != 0)
		return 0;
	AT(long, slot, S_RESULT) = (answer & 255) == KNOWN_GOOD ? (long)(more >> 16) : -(long)(answer & 255);
	return 1;
}

/* Whether the answer to the call in the slot, its name fetched, is known and was given. */
int known_answer(void *slot)
{
	u64 nr = AT(u64, slot, S_CALL_NR);
	u32 length = AT(u32, slot, S_FETCHED0) - 1;
	u32 key = AT(u32, slot, S_KEY), key_high = AT(u32, slot, S_KEY + 4);
	struct hash h = { key, key_high ^ 0xee, key ^ 0x6c796765, key_high ^ 0x74656462 };
	u32 call, low, high, place;

	if (nr >= MAX_PLANS || (key | key_high) == 0 || length == 0 || length > KNOWN_LONGEST)
		return 0;
	call = AT(u32, STUB_GLOBAL, G_KNOWN + 4 * nr);
	if (call == 0)
		return 0;
	add_call(&h, slot, call & 63, length);
	h.v2 ^= 0xee;
	low = half(&h);
	h.v1 ^= 0xdd;
	high = half(&h);
	place = low & (KNOWN_ENTRIES - 1);
	return answer_at(slot, place, low, high, h, call >> KNOWN_OUT) ||
	       answer_at(slot, place ^ 1, low, high, h, call >> KNOWN_OUT);
}
