import { describe, expect, it } from 'vitest'
import { asksForFile, fileName, hourOf } from './handover'
import type { CaseView } from '@/shared/types'

const from = '2026-07-21T09:00:00Z'
const due = '2026-07-21T10:00:00Z'
const at = (minute: number): number => Date.parse(from) + minute * 60_000

function view(delivery: string, ended: string | null = null, clock = 'handoff'): CaseView {
  return { row: { delivery }, deadlines: [{ clock, from, due, ended }] } as unknown as CaseView
}

describe('the way by file', () => {
  it('is urged from minute 45 of the hour, and not before', () => {
    expect(asksForFile(view('saved_here'), at(44.9))).toBe(false)
    expect(asksForFile(view('saved_here'), at(45))).toBe(true)
    expect(asksForFile(view('saved_here'), at(90))).toBe(true)
  })

  it('is not urged for what is at the hub, has no hour, or is done', () => {
    expect(asksForFile(view('at_hub'), at(50))).toBe(false)
    expect(asksForFile(view('saved_here', due), at(70))).toBe(false)
    expect(asksForFile(view('saved_here', null, 'cycle'), at(50))).toBe(false)
    expect(hourOf(view('saved_here', null, 'cycle'))).toBeNull()
  })

  it('names a file of either kind of system', () => {
    expect(fileName('/media/usb/CQ0101-A.suda')).toBe('CQ0101-A.suda')
    expect(fileName('E:\\CQ0101-A.suda')).toBe('CQ0101-A.suda')
  })
})
