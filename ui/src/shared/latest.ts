// One task at a time, and of what came meanwhile only the newest: how every
// keystroke is journaled without a timer and without a queue that grows.

export interface Latest<T> {
  /** Runs the task with this value now, or as soon as the running one ends. */
  push(value: T): void
  /** Resolves when nothing runs and nothing waits. */
  idle(): Promise<void>
}

export function latestWins<T>(
  task: (value: T) => Promise<void>,
  failed: (error: unknown) => void,
): Latest<T> {
  let waiting: { value: T } | null = null
  let running: Promise<void> | null = null

  async function run(): Promise<void> {
    while (waiting !== null) {
      const { value } = waiting
      waiting = null
      try {
        await task(value)
      } catch (error) {
        failed(error)
      }
    }
    running = null
  }

  return {
    push(value) {
      waiting = { value }
      running ??= run()
    },
    async idle() {
      while (running !== null) await running
    },
  }
}
