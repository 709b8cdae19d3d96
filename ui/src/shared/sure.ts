// Asking before something that cannot be taken back.
import { ElMessageBox } from 'element-plus'
import 'element-plus/es/components/message-box/style/css'
import { useWords } from './words'

/** `does` names the step; true when the person wants it. */
export function useSure(): (text: string, does: string) => Promise<boolean> {
  const { t } = useWords()
  return async (text, does) => {
    try {
      await ElMessageBox.confirm(text, does, {
        confirmButtonText: does,
        cancelButtonText: t('words.parts.cancel'),
        type: 'warning',
      })
      return true
    } catch {
      return false
    }
  }
}
