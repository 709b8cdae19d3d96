// The learning loop as the screen shows it: points of the curves, names of
// categories, what is in force. No drawing here.
import type { LearningView, TrainingView } from '../../../types'

export type Named = (node: { zh: string; en: string }) => string

/** A category's own name, with its parent's where two leaves are called alike; the code of one that has vanished. */
export function categoryName(view: LearningView, code: string, named: Named): string {
  const node = view.categories.find((one) => one.code === code)
  if (!node) return code
  const own = named(node)
  const alike = view.categories.some((one) => one.code !== code && named(one) === own)
  const parent = view.categories.find((one) => one.code === code.slice(0, Math.max(0, code.lastIndexOf('.'))))
  return alike && parent ? `${named(parent)} / ${own}` : own
}

/** The trainings that were judged, the oldest first, without those only tried. */
export function judged(view: LearningView): TrainingView[] {
  return view.trainings.filter((one) => one.report.candidate && !one.report.preview).reverse()
}

export function inForce(view: LearningView): TrainingView | null {
  return view.trainings.find((one) => one.version === view.in_force) ?? null
}

/** The newest training with figures, tried or not: what the tables below tell of. */
export function newestJudged(view: LearningView): TrainingView | null {
  return view.trainings.find((one) => one.report.candidate) ?? null
}

export interface Point {
  x: number
  y: number
}

/** Values from 0 to 1, evenly from left to right, in a box whose y falls. */
export function curve(values: number[], width: number, height: number): Point[] {
  const step = values.length > 1 ? width / (values.length - 1) : 0
  const first = values.length > 1 ? 0 : width / 2
  return values.map((value, n) => ({
    x: first + n * step,
    y: (1 - Math.min(1, Math.max(0, value))) * height,
  }))
}

export function line(points: Point[]): string {
  return points.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ')
}

/** Mistakes alone, the commonest first. */
export function mistakes(one: TrainingView, most: number): TrainingView['report']['confusion'] {
  return one.report.confusion.filter((pair) => pair.is !== pair.said).slice(0, most)
}

export interface OfCategory {
  category: string
  cases: number
  right: number
}

/** How often each category was recognised, those with most cases first. */
export function byCategory(one: TrainingView): OfCategory[] {
  const all = new Map<string, OfCategory>()
  for (const pair of one.report.confusion) {
    const of = all.get(pair.is) ?? { category: pair.is, cases: 0, right: 0 }
    of.cases += pair.cases
    if (pair.is === pair.said) of.right += pair.cases
    all.set(pair.is, of)
  }
  return [...all.values()].sort((a, b) => b.cases - a.cases)
}

/** The categories whose share has moved most, in points of a hundred. */
export function drift(one: TrainingView, most: number): { category: string; before: number; now: number; by: number }[] {
  return one.report.shares
    .map((share) => ({ ...share, by: share.now - share.before }))
    .sort((a, b) => Math.abs(b.by) - Math.abs(a.by))
    .slice(0, most)
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`
}
