/** `20260131_175900` in local time, as people look for it. */
export function localTime(moment: Date): string {
  const two = (n: number): string => String(n).padStart(2, '0')
  const date = `${moment.getFullYear()}${two(moment.getMonth() + 1)}${two(moment.getDate())}`
  return `${date}_${two(moment.getHours())}${two(moment.getMinutes())}${two(moment.getSeconds())}`
}
