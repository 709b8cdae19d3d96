import { expect, test } from 'vitest'
import { words } from '@/texts/zh-CN/words'
import { consoleWork } from '@/texts/zh-CN/console/work'
import { STEP_KINDS, guideOf, isOnward, possibleSteps, stretchesDone, textOf, type StepName } from './steps'
import type { ComplaintView, FactKind, Me, State } from './types'

test('every step has a name, a hint and, where it asks for a text, a question', () => {
  for (const { name, text, warns } of STEP_KINDS) {
    expect(consoleWork.step, name).toHaveProperty([name])
    expect(consoleWork.step_hint, name).toHaveProperty([name])
    if (text) expect(consoleWork.ask, name).toHaveProperty([name])
    if (text) expect(consoleWork.example, name).toHaveProperty([name])
    if (warns) expect(consoleWork.warning, name).toHaveProperty([name])
  }
  expect(new Set(STEP_KINDS.map((kind) => kind.writes)).size).toBe(STEP_KINDS.length)
})

test('every state has a sentence that says what comes next', () => {
  for (const state of Object.keys(words.state)) expect(consoleWork.guide).toHaveProperty(state)
})

test('the way never goes back while the work goes on', () => {
  const way: State[] = ['queued', 'claimed', 'dispatched', 'analysed', 'awaiting_approval', 'solving', 'implemented', 'answered']
  const done = way.map(stretchesDone)
  expect(done).toEqual([...done].sort((a, b) => a - b))
  expect(stretchesDone('answered')).toBe(5)
})

const who = (role: Me['role'], id = 'me'): Me => ({ id, role }) as Me
function complaint(state: State, allowed: FactKind[], parts: object = {}): ComplaintView {
  const empty = { questions: [], tasks: [], plan: [], approvals: [], call_back: { tries: [] }, claim: null, answer: null }
  return { state, allowed, needs_approval: false, ...empty, ...parts } as unknown as ComplaintView
}
const names = (view: ComplaintView, me: Me): StepName[] => possibleSteps(view, me).map((kind) => kind.name)
const onward = (view: ComplaintView, me: Me): StepName[] =>
  possibleSteps(view, me)
    .filter((kind) => isOnward(kind, view, me))
    .map((kind) => kind.name)

test('a department reports from its tasks, not from the case', () => {
  const view = complaint('dispatched', ['reported', 'asked', 'extension_requested'])
  expect(names(view, who('department'))).toEqual(['ask', 'request-extension'])
  expect(names(complaint('claimed', ['reported']), who('expert'))).toEqual(['report'])
})

test('what may be done is what the hub admits, nothing more and nothing less', () => {
  const allowed: FactKind[] = ['solving_started', 'approval_requested', 'released']
  for (const parts of [{}, { needs_approval: true }]) {
    const view = complaint('analysed', allowed, parts)
    expect(names(view, who('expert'))).toEqual(['start-solving', 'request-approval', 'release'])
  }
})

test('what has to be approved first is told for its reason', () => {
  const large = complaint('analysed', ['approval_requested'], { needs_approval: true, grade: 'three' })
  expect(guideOf(large, who('expert'))).toBe('analysed_amount')
  expect(guideOf({ ...large, grade: 'one' }, who('expert'))).toBe('analysed_grade_one')
})

test('a question presses the branch that was asked, not who waits for the answer', () => {
  const asked = { questions: [{ of: 'branch', replies: [] }] }
  const view = complaint('dispatched', ['replied'], asked)
  expect(onward(view, who('clerk'))).toEqual(['reply'])
  expect(onward(view, who('expert'))).toEqual([])
  expect(onward(complaint('dispatched', ['replied'], { questions: [{ of: 'branch', replies: [{}] }] }), who('clerk'))).toEqual([])
})

test('an approved case without a plan is planned first; a plan there is, is changed', () => {
  const allowed: FactKind[] = ['solving_started', 'implemented', 'measure_progressed']
  const empty = complaint('solving', allowed.slice(0, 2))
  expect(names(empty, who('expert'))[0]).toBe('start-solving')
  expect(guideOf(empty, who('expert'))).toBe('solving_empty')
  const planned = complaint('solving', allowed, { plan: [{ id: '1', staff: 'me', done_at: null }] })
  expect(onward(planned, who('department'))[0]).toBe('progress')
  const change = STEP_KINDS.find((kind) => kind.name === 'start-solving')
  expect(change && textOf(change, planned)).toBe('change-plan')
  expect(change && textOf(change, empty)).toBe('start-solving')
})

test('who answered is told that somebody else calls back', () => {
  const back = { answer: { by: 'me' }, call_back: { tries: [], assigned: { staff: 'other', name: 'x' } } }
  const view = complaint('answered', ['called_back'], back)
  expect(guideOf(view, who('expert'))).toBe('answered_by_me')
  expect(guideOf(view, who('expert', 'other'))).toBe('answered_to_me')
  expect(guideOf(view, who('expert', 'third'))).toBe('answered')
})

test('the customer is called back once, until it is decided for good', () => {
  const allowed: FactKind[] = ['called_back', 'call_back_tried', 'closed']
  const waiting = complaint('answered', allowed)
  expect(onward(waiting, who('expert'))).toEqual(['call-back', 'call-back-tried', 'close'])
  for (const parts of [{ final_decision: 'x' }, { call_back: { tries: [], satisfied: false } }]) {
    expect(onward(complaint('answered', allowed, parts), who('expert'))).toEqual(['close'])
  }
  const hours = [0, 4, 8].map((n) => ({ at: new Date(n * 3_600_000).toISOString() }))
  expect(guideOf(complaint('answered', allowed, { call_back: { tries: hours } }), who('expert'))).toBe('answered_not_reached')
})

test('what nobody waits for any more is not offered', () => {
  const allowed: FactKind[] = ['replied', 'commented', 'called_back', 'call_back_tried', 'reopened']
  expect(names(complaint('closed', allowed), who('expert'))).toEqual(['reopen'])
  expect(names(complaint('answered', allowed), who('expert'))).toEqual(['call-back', 'call-back-tried', 'reopen'])
})

test('the branch is told what it is asked, a department where it reports, and others when there is nothing to do', () => {
  const asked = { questions: [{ of: 'branch', replies: [] }] }
  expect(guideOf(complaint('dispatched', ['replied'], asked), who('clerk'))).toBe('branch_asked')
  expect(guideOf(complaint('dispatched', ['noted']), who('branch_manager'))).toBe('branch_reads')
  const task = { tasks: [{ id: 't', department: 'me', state: 'accepted' }] }
  expect(guideOf(complaint('dispatched', ['asked'], task), who('department'))).toBe('dispatched_to_me')
  expect(guideOf(complaint('dispatched', ['noted']), who('department'))).toBe('nothing')
  expect(guideOf(complaint('dispatched', ['noted']), who('expert'))).toBe('nothing')
})

test('who has voted waits for the others, and asks for comments only beside that', () => {
  const waiting = { approvals: [{ comments_asked: 'x', votes: [{ staff: 'me' }] }] }
  const voted = complaint('awaiting_approval', ['comments_asked', 'commented'], waiting)
  expect(guideOf(voted, who('management'))).toBe('awaiting_others_vote')
  expect(onward(voted, who('management'))).toEqual(['comment'])
  const other = complaint('awaiting_approval', ['approved', 'disapproved', 'comments_asked'], waiting)
  expect(onward(other, who('management', 'other'))).toEqual(['approve', 'disapprove', 'ask-comments'])
})

test('what is the expert’s next step is not told to those who read', () => {
  const solving = complaint('solving', ['noted', 'commented', 'graded'])
  expect(guideOf(solving, who('management'))).toBe('others_work')
  expect(guideOf(solving, who('department'))).toBe('others_work')
  expect(guideOf(complaint('solving', ['implemented']), who('expert'))).toBe('solving')
  const alert = complaint('reopened', ['alert_acknowledged', 'graded'])
  expect(guideOf(alert, who('management'))).toBe('alert_waits')
  expect(guideOf(complaint('reopened', ['claimed']), who('expert'))).toBe('reopened')
})

test('every sentence that tells what comes next is there', () => {
  const guides = ['answered_content', 'answered_not', 'answered_not_reached', 'dispatched_to_me', 'branch_asked', 'branch_reads', 'awaiting_vote', 'awaiting_comments', 'awaiting_others_vote', 'others_work', 'alert_waits', 'solving_open']
  for (const guide of [...guides, 'answered_final']) expect(consoleWork.guide).toHaveProperty(guide)
})
