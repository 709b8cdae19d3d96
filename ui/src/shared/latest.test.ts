import { expect, test } from 'vitest'
import { latestWins } from './latest'

function gate(): { open: () => void; wait: Promise<void> } {
  let open = (): void => undefined
  const wait = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, wait }
}

const never = (error: unknown): void => {
  throw error
}

test('one runs at a time and of what came meanwhile only the newest follows', async () => {
  const seen: string[] = []
  const first = gate()
  let running = 0
  const saving = latestWins<string>(async (value) => {
    running += 1
    expect(running).toBe(1)
    seen.push(value)
    if (value === '宽') await first.wait
    running -= 1
  }, never)
  for (const text of ['宽', '宽带', '宽带断', '宽带断了']) saving.push(text)
  first.open()
  await saving.idle()
  expect(seen).toEqual(['宽', '宽带断了'])
})

test('a failure is told and what came meanwhile is still done', async () => {
  const seen: string[] = []
  const errors: unknown[] = []
  const first = gate()
  const saving = latestWins<string>(
    async (value) => {
      if (value === 'a') {
        await first.wait
        throw new Error('disk full')
      }
      seen.push(value)
    },
    (error) => errors.push(error),
  )
  saving.push('a')
  saving.push('b')
  first.open()
  await saving.idle()
  expect(errors).toHaveLength(1)
  expect(seen).toEqual(['b'])
})

test('idle waits for what is pushed while it waits', async () => {
  const seen: number[] = []
  const saving = latestWins<number>(async (value) => {
    seen.push(value)
    if (value < 3) saving.push(value + 1)
  }, never)
  saving.push(1)
  await saving.idle()
  expect(seen).toEqual([1, 2, 3])
})
