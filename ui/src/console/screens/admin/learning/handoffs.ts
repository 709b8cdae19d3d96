// Simple or complex as the screen shows it: the line that follows from what the
// two mistakes cost, and what each line would have done to past complaints.
import type { HandoffCourse, HandoffReport } from '../../../types'

/** From this likelihood on a handoff is proposed, as the hub and the desks count. */
export function threshold(costs: number): number {
  return 1 / (1 + costs)
}

/** What would have been done with past complaints; null where nothing was judged. */
export function courseAt(report: HandoffReport, costs: number): HandoffCourse | null {
  return report.curve[costs - 1] ?? null
}

/** In wrong handoffs. */
export function costOf(course: HandoffCourse, costs: number): number {
  return course.wrong + costs * course.missed
}

/** How many more of the past complaints would have been handed off; fewer are below nothing. */
export function moreHandedOff(report: HandoffReport, from: number, to: number): number {
  const [was, will] = [courseAt(report, from), courseAt(report, to)]
  return was && will ? will.handed_off - was.handed_off : 0
}

export interface CostPoint {
  /** The line, from 0 to 1. */
  line: number
  wrong: number
  missed: number
  cost: number
}

/** Every line one can set, the lowest first, with what it would have cost at this ratio. */
export function costPoints(report: HandoffReport, costs: number): CostPoint[] {
  return report.curve
    .map((course, at) => ({
      line: threshold(at + 1),
      wrong: course.wrong,
      missed: course.missed,
      cost: costOf(course, costs),
    }))
    .reverse()
}

/** The line that would have been cheapest at this ratio; of equals the lowest, which misses least. */
export function cheapest(points: CostPoint[]): CostPoint | null {
  return points.reduce<CostPoint | null>((best, one) => (best === null || one.cost < best.cost ? one : best), null)
}

/** A share with a decimal where it is small: 4.8 %, 20 %. */
export function lineText(line: number): string {
  const percent = line * 100
  return `${percent.toFixed(Number.isInteger(Math.round(percent * 10) / 10) ? 0 : 1)} %`
}
