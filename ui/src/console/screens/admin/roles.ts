// The roles a person can have; the system's own is nobody's.
import type { Role } from '../../types'

export const ROLES: readonly Role[] = [
  'clerk',
  'branch_manager',
  'expert',
  'department',
  'management',
  'auditor',
  'administrator',
]

export const ofBranch = (role: Role): boolean => role === 'clerk' || role === 'branch_manager'
