import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VM_MAYWRITE, VM_SHARED, Vma } from '../../../src/mm/vma.ts';
import { VmaList } from '../../../src/mm/vma-list.ts';
import { dice } from '../dice.ts';

const PAGE = 4096;

test('areas through which others see what is written are counted as they come, go and are cut', () => {
  const roll = dice(7);
  const list = new VmaList();
  for (let turn = 0; turn < 3000; turn++) {
    const from = (1 + roll(40)) * PAGE;
    const to = from + (1 + roll(8)) * PAGE;
    const what = roll(10);
    if (what < 5) {
      list.remove(from, to);
      const flags = roll(2) === 0 ? VM_MAYWRITE : roll(3) === 0 ? VM_SHARED : VM_SHARED | VM_MAYWRITE;
      list.insert(new Vma(from, to, roll(2), flags));
    } else if (what < 7) list.remove(from, to);
    else if (what < 9) {
      for (const vma of list.isolate(from, to)) vma.prot = roll(2);
      list.join(from, to);
    } else if (roll(50) === 0) list.clear();
    const both = VM_SHARED | VM_MAYWRITE;
    assert.equal(
      list.hasSharedWriter,
      [...list].some(({ flags }) => (flags & both) === both),
    );
  }
});
