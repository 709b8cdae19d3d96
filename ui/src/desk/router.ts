// The screens of a signed-in desk. Each is loaded when first shown.
import { createRouter, createWebHashHistory } from 'vue-router'

export const router = createRouter({
  history: createWebHashHistory(),
  routes: [
    { path: '/', redirect: '/record' },
    { path: '/record', name: 'record', component: () => import('./screens/IntakeScreen.vue') },
    {
      path: '/receipt/:id',
      name: 'receipt',
      component: () => import('./screens/ReceiptScreen.vue'),
      props: true,
    },
    {
      path: '/backlog/:scope(open|mine|with_experts|done|all)?',
      name: 'backlog',
      component: () => import('./screens/BacklogScreen.vue'),
      props: true,
    },
    {
      path: '/case/:id',
      name: 'case',
      component: () => import('./screens/CaseScreen.vue'),
      props: true,
    },
    {
      path: '/handover/:id',
      name: 'handover',
      component: () => import('./screens/HandoverScreen.vue'),
      props: true,
    },
    {
      path: '/summary/:id',
      name: 'summary',
      component: () => import('./screens/SummaryScreen.vue'),
      props: true,
    },
    { path: '/branch', name: 'branch', component: () => import('./screens/BranchScreen.vue') },
    { path: '/backups', name: 'backups', component: () => import('./screens/BackupsScreen.vue') },
    { path: '/guidance', name: 'guidance', component: () => import('./screens/GuidanceScreen.vue') },
    { path: '/:rest(.*)', redirect: '/record' },
  ],
})
