import { expect, test } from 'vitest'
import { words } from '@/texts/zh-CN/words'
import { consoleWork } from '@/texts/zh-CN/console/work'
import { STEP_KINDS, stretchesDone } from './steps'
import type { State } from './types'

test('every step has a name, a hint and, where it asks for a text, a question', () => {
  for (const { name, text } of STEP_KINDS) {
    expect(consoleWork.step, name).toHaveProperty([name])
    expect(consoleWork.step_hint, name).toHaveProperty([name])
    if (text) expect(consoleWork.ask, name).toHaveProperty([name])
    if (text) expect(consoleWork.example, name).toHaveProperty([name])
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
