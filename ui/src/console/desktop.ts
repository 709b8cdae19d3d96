// Whether the browser may show notifications of this site. It is asked only
// when the person wants it; over plain http browsers have none.
import { ref } from 'vue'

export type Permission = NotificationPermission | 'none'

export function desktopPermission(): Permission {
  return 'Notification' in window && window.isSecureContext ? Notification.permission : 'none'
}

export function useDesktop() {
  const permission = ref(desktopPermission())
  async function ask(): Promise<void> {
    await Notification.requestPermission()
    permission.value = desktopPermission()
  }
  return { permission, ask }
}
