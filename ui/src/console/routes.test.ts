import { afterEach, expect, test, vi } from 'vitest'
import { consoleFrame } from '@/texts/zh-CN/console/frame'
import { allowed, homeOf, placesOf, PLACES } from './routes'
import { signIn } from './session'
import { stopLive } from './live'
import type { Role } from './types'

const ROLES: Role[] = ['clerk', 'branch_manager', 'expert', 'department', 'management', 'auditor', 'administrator']

class NoFeed extends EventTarget {
  close(): void {}
}

async function as(role: Role): Promise<void> {
  vi.stubGlobal('EventSource', NoFeed)
  vi.stubGlobal(
    'fetch',
    vi.fn(async () => new Response(JSON.stringify({ id: role, login: role, name: role, role, branch: null }))),
  )
  await signIn(role, 'x')
}

afterEach(() => {
  stopLive()
  vi.unstubAllGlobals()
})

test('each role may go to its own home and to every place its menu lists', async () => {
  for (const role of ROLES) {
    await as(role)
    const home = homeOf(role) as { name: string }
    expect(allowed(home.name), role).toBe(true)
    for (const place of placesOf(role)) expect(allowed(place.name), `${role} ${place.name}`).toBe(true)
  }
})

test('who may not go somewhere is brought home', async () => {
  await as('department')
  expect(allowed('queue')).toEqual({ name: 'tasks' })
  expect(allowed('staff')).toEqual({ name: 'tasks' })
  expect(allowed('desks')).toEqual({ name: 'tasks' })
  await as('clerk')
  for (const place of PLACES.filter((one) => !['elsewhere', 'duties', 'case'].includes(one.name))) {
    expect(allowed(place.name), place.name).toEqual({ name: 'elsewhere' })
  }
  expect(allowed('duties')).toBe(true)
  await as('auditor')
  expect(allowed('desks')).toBe(true)
  for (const name of ['duties', 'tasks', 'approvals', 'branches', 'staff', 'time', 'quarantine']) {
    expect(allowed(name), name).toEqual({ name: 'search' })
  }
})

test('an address nobody knows leads home', async () => {
  await as('expert')
  expect(allowed('home')).toEqual({ name: 'queue' })
})

test('every place in a menu has a name', () => {
  for (const place of PLACES.filter((one) => one.icon !== undefined)) {
    expect(Object.keys(consoleFrame.places)).toContain(place.name)
  }
})
