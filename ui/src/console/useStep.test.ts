import { effectScope, nextTick } from 'vue'
import { expect, test } from 'vitest'
import { HubError } from './api'
import { forgetAll } from './kept'
import { useStep, type StepDraft } from './useStep'

interface Reason {
  reason: string
}

const need = (form: Reason): Record<string, string> => (form.reason === '' ? { reason: 'needed' } : {})

/** Opens the form at its place, as a component does, and gives a way to close it. */
function opened(send: (form: Reason, key: string) => Promise<void>): { step: StepDraft<Reason>; close: () => void } {
  const scope = effectScope()
  const step = scope.run(() => useStep<Reason>('case-1/return', () => ({ reason: '' }), need, send))
  if (step === undefined) throw new Error('the form did not open')
  return { step, close: () => scope.stop() }
}

test('what was typed outlives a failed request and a closed form, under the same key', async () => {
  forgetAll()
  const keys: string[] = []
  const failing = opened(async (_, key) => {
    keys.push(key)
    throw new HubError({ code: 'busy', tone: 'fault' })
  })
  failing.step.form.reason = 'not ours'
  expect(await failing.step.submit()).toBe(false)
  expect(failing.step.attempt.error.value?.code).toBe('busy')
  failing.close()

  const again = opened(async (_, key) => void keys.push(key))
  expect(again.step.form.reason).toBe('not ours')
  expect(await again.step.submit()).toBe(true)
  expect(keys[0]).toBe(keys[1])
  again.close()

  expect(opened(async () => {}).step.form.reason).toBe('')
})

test('a form sent once is not sent again while it is under way', async () => {
  forgetAll()
  let sent = 0
  let finish = (): void => {}
  const { step } = opened(() => {
    sent += 1
    return new Promise((resolve) => {
      finish = resolve
    })
  })
  step.form.reason = 'x'
  const first = step.submit()
  expect(await step.submit()).toBe(false)
  finish()
  expect(await first).toBe(true)
  expect(sent).toBe(1)
})

test('a missing field is named until it is filled, and nothing is sent', async () => {
  forgetAll()
  let sent = 0
  const { step } = opened(async () => void (sent += 1))
  expect(await step.submit()).toBe(false)
  expect(step.missing.value).toEqual({ reason: 'needed' })
  step.form.reason = 'because'
  await nextTick()
  expect(step.missing.value).toEqual({})
  expect(sent).toBe(0)
})

test('another person finds nothing of what was typed', () => {
  opened(async () => {}).step.form.reason = 'secret'
  forgetAll()
  expect(opened(async () => {}).step.form.reason).toBe('')
})
