/** struct pollfd (poll(2)), 8 bytes: 0 fd s32 | 4 events s16 | 6 revents s16 */
export const POLLFD_SIZE = 8;

export const pollfdFd = (view: DataView, at: number): number => view.getInt32(at, true);
export const pollfdEvents = (view: DataView, at: number): number => view.getUint16(at + 4, true);

export function writePollfd(view: DataView, at: number, fd: number, events: number, revents: number): void {
  view.setInt32(at, fd, true);
  view.setUint16(at + 4, events, true);
  view.setUint16(at + 6, revents, true);
}
