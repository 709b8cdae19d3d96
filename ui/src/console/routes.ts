// The screens, who may see each, and where each role begins. The hub checks
// every call again; this only keeps people from doors that would not open.
import {
  Bell,
  Clock,
  Connection,
  Cpu,
  ChatDotRound,
  DataBoard,
  Files,
  List,
  Message,
  Monitor,
  OfficeBuilding,
  ScaleToOriginal,
  Search,
  Stamp,
  Tickets,
  TrendCharts,
  User,
  Warning,
} from '@element-plus/icons-vue'
import type { Component } from 'vue'
import {
  createRouter,
  createWebHistory,
  type RouteLocationRaw,
  type Router,
  type RouterHistory,
} from 'vue-router'
import { me } from './session'
import type { Role } from './types'

export interface Place {
  name: string
  path: string
  roles: readonly Role[]
  /** Absent for places that are reached from others only. */
  icon?: Component
  screen: () => Promise<{ default: Component }>
}

const READERS: readonly Role[] = ['expert', 'management', 'auditor']

export const PLACES: readonly Place[] = [
  { name: 'queue', path: '/queue', roles: READERS, icon: Tickets, screen: () => import('./screens/QueueScreen.vue') },
  { name: 'duties', path: '/duties', roles: ['expert', 'management', 'department', 'branch_manager', 'clerk'], icon: List, screen: () => import('./screens/DutiesScreen.vue') },
  { name: 'tasks', path: '/tasks', roles: ['department'], icon: Files, screen: () => import('./screens/TasksScreen.vue') },
  { name: 'board', path: '/board', roles: READERS, icon: DataBoard, screen: () => import('./screens/BoardScreen.vue') },
  { name: 'alarms', path: '/alarms', roles: [...READERS, 'branch_manager'], icon: Warning, screen: () => import('./screens/AlarmsScreen.vue') },
  { name: 'same', path: '/same-answer', roles: READERS, icon: ScaleToOriginal, screen: () => import('./screens/SameAnswerScreen.vue') },
  { name: 'approvals', path: '/approvals', roles: ['management'], icon: Stamp, screen: () => import('./screens/ApprovalsScreen.vue') },
  { name: 'search', path: '/search', roles: [...READERS, 'department'], icon: Search, screen: () => import('./screens/SearchScreen.vue') },
  { name: 'case', path: '/case/:id', roles: [...READERS, 'department', 'branch_manager', 'clerk'], screen: () => import('./screens/CaseScreen.vue') },
  { name: 'desks', path: '/desks', roles: ['administrator', 'management', 'auditor'], icon: Cpu, screen: () => import('./screens/DesksScreen.vue') },
  { name: 'sms', path: '/sms', roles: [...READERS, 'administrator'], icon: ChatDotRound, screen: () => import('./screens/SmsScreen.vue') },
  { name: 'branches', path: '/admin/branches', roles: ['administrator'], icon: OfficeBuilding, screen: () => import('./screens/admin/BranchesScreen.vue') },
  { name: 'staff', path: '/admin/staff', roles: ['administrator'], icon: User, screen: () => import('./screens/admin/StaffScreen.vue') },
  { name: 'devices', path: '/admin/devices', roles: ['administrator'], icon: Monitor, screen: () => import('./screens/admin/DevicesScreen.vue') },
  { name: 'guidance', path: '/admin/guidance', roles: ['administrator'], icon: Connection, screen: () => import('./screens/admin/GuidanceScreen.vue') },
  { name: 'letters', path: '/admin/letters', roles: ['administrator'], icon: Message, screen: () => import('./screens/admin/LettersScreen.vue') },
  { name: 'time', path: '/admin/time', roles: ['administrator'], icon: Clock, screen: () => import('./screens/admin/TimeScreen.vue') },
  { name: 'learning', path: '/admin/learning', roles: ['administrator'], icon: TrendCharts, screen: () => import('./screens/admin/LearningScreen.vue') },
  { name: 'quarantine', path: '/admin/quarantine', roles: ['administrator', 'expert'], icon: Bell, screen: () => import('./screens/admin/QuarantineScreen.vue') },
  { name: 'elsewhere', path: '/elsewhere', roles: ['clerk', 'branch_manager'], screen: () => import('./screens/ElsewhereScreen.vue') },
]

const HOMES: Record<Role, string> = {
  expert: 'queue',
  department: 'tasks',
  management: 'board',
  auditor: 'search',
  administrator: 'branches',
  clerk: 'elsewhere',
  branch_manager: 'elsewhere',
  system: 'elsewhere',
  customer: 'elsewhere',
}

/** What the menu lists for a role, in order. */
export function placesOf(role: Role): Place[] {
  return PLACES.filter((place) => place.icon !== undefined && place.roles.includes(role))
}

export function homeOf(role: Role): RouteLocationRaw {
  return { name: HOMES[role] }
}

export function makeRouter(history: RouterHistory = createWebHistory('/console/')): Router {
  const router = createRouter({
    history,
    routes: [
      ...PLACES.map(({ name, path, screen }) => ({ name, path, component: screen })),
      { path: '/:rest(.*)*', name: 'home', component: { render: () => null } },
    ],
  })
  router.beforeEach((to) => allowed(to.name as string))
  return router
}

/** True where the person may go, else where they belong. Signed out, the address is kept. */
export function allowed(name: string): true | RouteLocationRaw {
  const role = me.value?.role
  if (role === undefined) return true
  const place = PLACES.find((candidate) => candidate.name === name)
  return place?.roles.includes(role) ? true : homeOf(role)
}
