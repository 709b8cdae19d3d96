// Shares off guidance as tables show them.
import type { SameAnswerView, Share } from './types'

export type ShareBy = 'branches' | 'categories' | 'people'

export interface ShareLine {
  key: string
  name: string
  hint: string
  share: Share
  /** Of the answers with guidance, in hundredths; null where there are none. */
  percent: number | null
}

export function percentOff(share: Share): number | null {
  return share.guided === 0 ? null : (share.off / share.guided) * 100
}

/** Whose shares the reader may see. */
export function offered(view: SameAnswerView): ShareBy[] {
  return view.people ? ['branches', 'categories', 'people'] : ['branches', 'categories']
}

/** `experts` names what the experts answered, `named` chooses a language. */
export function lines(
  view: SameAnswerView,
  by: ShareBy,
  experts: string,
  named: (thing: { zh: string; en: string }) => string,
): ShareLine[] {
  const line = (key: string, name: string, hint: string, share: Share): ShareLine => ({
    key,
    name,
    hint,
    share,
    percent: percentOff(share),
  })
  switch (by) {
    case 'branches':
      return view.branches.map(({ branch, name, share }) => line(branch ?? '', branch ? name : experts, branch ?? '', share))
    case 'categories':
      return view.categories.map((one) =>
        line(one.category, named({ zh: one.category_zh, en: one.category_en }), one.category, one.share),
      )
    case 'people':
      return (view.people ?? []).map((one) => line(one.staff, one.name, one.branch ?? experts, one.share))
  }
}

/** The local day as the hub asks for it. */
export function dayOf(at: Date): string {
  const two = (n: number): string => String(n).padStart(2, '0')
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
}

/** The last so many days with today. */
export function lastDays(n: number, today = new Date()): [string, string] {
  const first = new Date(today)
  first.setDate(first.getDate() - (n - 1))
  return [dayOf(first), dayOf(today)]
}
