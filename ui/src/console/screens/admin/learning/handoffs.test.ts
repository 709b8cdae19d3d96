import { describe, expect, it } from 'vitest'
import type { HandoffReport } from '../../../types'
import { cheapest, costOf, costPoints, courseAt, lineText, moreHandedOff, threshold } from './handoffs'

/** Ten complaints of which four needed the centre; the dearer a missed one, the more is handed off. */
const report = {
  decision: 'in_use',
  cases: 10,
  needed: 4,
  curve: [
    { handed_off: 2, wrong: 0, missed: 2 },
    { handed_off: 4, wrong: 1, missed: 1 },
    { handed_off: 7, wrong: 3, missed: 0 },
  ],
} as unknown as HandoffReport

describe('what a missed handoff costs', () => {
  it('sets the line where both mistakes cost the same', () => {
    expect(threshold(1)).toBe(0.5)
    expect(threshold(4)).toBeCloseTo(0.2)
    for (const costs of [1, 4, 9]) {
      const p = threshold(costs)
      expect(costs * p).toBeCloseTo(1 - p)
    }
  })

  it('tells what another ratio would have handed off, and that less is less', () => {
    expect(moreHandedOff(report, 1, 3)).toBe(5)
    expect(moreHandedOff(report, 3, 2)).toBe(-3)
    expect(moreHandedOff(report, 2, 2)).toBe(0)
    expect(courseAt(report, 4)).toBeNull()
    expect(moreHandedOff(report, 1, 4)).toBe(0)
  })

  it('counts a missed one so many times, and names the cheapest line', () => {
    expect(costOf({ handed_off: 4, wrong: 1, missed: 1 }, 3)).toBe(4)
    const points = costPoints(report, 2)
    expect(points.map((one) => one.cost)).toEqual([3, 3, 4])
    expect(points.map((one) => one.line)).toEqual([0.25, threshold(2), 0.5])
    expect(cheapest(points)?.line).toBe(0.25)
    expect(cheapest([])).toBeNull()
  })

  it('says a line as people read it', () => {
    expect([0.2, 0.5, threshold(20), threshold(99), threshold(2)].map(lineText)).toEqual(['20 %', '50 %', '4.8 %', '1 %', '33.3 %'])
  })
})
