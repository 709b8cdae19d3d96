import { describe, expect, it } from 'vitest'
import type { LearningView, TrainingView } from '../../../types'
import { byCategory, categoryName, curve, drift, inForce, judged, line, mistakes, newestJudged, percent } from './learning'

const figures = { cases: 10, right: 8, accuracy: 0.8, top3: 1, macro_f1: 0.8, calibration_error: 0.1, sure: 1, right_when_sure: 0.8 }

function training(version: number, change: Partial<TrainingView['report']> = {}): TrainingView {
  return {
    version,
    at: '2026-07-21T02:00:00Z',
    by: null,
    can_be_used: true,
    report: {
      decision: 'rolled_out',
      preview: false,
      cases: 50,
      outside_tree: 0,
      learned_from: 40,
      held_out: 10,
      categories: 2,
      bytes: 1000,
      took_ms: 5,
      candidate: figures,
      in_force: null,
      in_force_version: null,
      commonest: 0.5,
      rules: { said: 0, right: 0 },
      together: { said: 1, right: 0.8 },
      calibration: [],
      confusion: [
        { is: 'a', said: 'a', cases: 5 },
        { is: 'b', said: 'b', cases: 3 },
        { is: 'b', said: 'a', cases: 2 },
      ],
      shares: [
        { category: 'a', before: 0.5, now: 0.45 },
        { category: 'b', before: 0.2, now: 0.55 },
      ],
      changed: 0,
      changes: [],
      overrides: { assessed: 0, category: 0, grade: 0, complexity: 0, by_branch: [], reasons: [], other_reasons: 0, categories: [] },
      handoffs: null,
      ...change,
    },
  }
}

function view(trainings: TrainingView[], in_force: number | null = null): LearningView {
  const node = (code: string, zh: string) => ({ code, zh, en: zh })
  return {
    in_force,
    running: false,
    to_retrain: false,
    forgotten: 0,
    trainings,
    handoffs: { revision: 'r', costs: 4, most: 100, in_use: null, version: null, report: null },
    categories: [node('x', '甲'), node('y', '乙'), node('x.o', '其他'), node('y.o', '其他'), node('y.p', '扣费')],
  }
}

describe('the learning loop as it is shown', () => {
  it('leaves out of the curve what was only tried and what was not judged, the oldest first', () => {
    const all = view([training(4, { preview: true }), training(3), training(2, { candidate: null }), training(1)])
    expect(judged(all).map((one) => one.version)).toEqual([1, 3])
    expect(newestJudged(all)?.version).toBe(4)
  })

  it('knows which version desks use, also when none is', () => {
    expect(inForce(view([training(2), training(1)], 1))?.version).toBe(1)
    expect(inForce(view([training(1)]))).toBeNull()
  })

  it('tells leaves of one name apart by their parent and shows the code of one that has vanished', () => {
    const named = (node: { zh: string }) => node.zh
    const all = view([])
    expect(categoryName(all, 'x.o', named)).toBe('甲 / 其他')
    expect(categoryName(all, 'y.p', named)).toBe('扣费')
    expect(categoryName(all, 'z', named)).toBe('z')
  })

  it('draws within the box, one value in its middle', () => {
    expect(curve([0, 1], 100, 50)).toEqual([{ x: 0, y: 50 }, { x: 100, y: 0 }])
    expect(curve([2], 100, 50)).toEqual([{ x: 50, y: 0 }])
    expect(line(curve([0.5], 100, 50))).toBe('50.0,25.0')
  })

  it('counts mistakes and the recognised share of each category', () => {
    expect(mistakes(training(1), 5)).toEqual([{ is: 'b', said: 'a', cases: 2 }])
    expect(byCategory(training(1))).toEqual([
      { category: 'a', cases: 5, right: 5 },
      { category: 'b', cases: 5, right: 3 },
    ])
  })

  it('puts the category whose share moved most first', () => {
    expect(drift(training(1), 1).map((one) => one.category)).toEqual(['b'])
  })

  it('says small shares with a decimal', () => {
    expect([0, 0.034, 0.5, 1].map(percent)).toEqual(['0 %', '3.4 %', '50 %', '100 %'])
  })
})
