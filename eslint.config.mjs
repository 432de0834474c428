// One set of rules for everything written by hand. Types are checked strictly; zero warnings.
import jest from 'eslint-plugin-jest';
import reactHooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['**/dist/', '**/node_modules/', '**/gen/', '**/.venv/', '.stic/', '.stic-dev/', '.setup/', 'coverage/'] },
  {
    files: ['api/src/**/*.ts', 'server/src/**/*.ts', 'migrations/**/*.ts', 'test/**/*.ts', 'console/src/**/*.{ts,tsx}'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // A default branch is an answer for all the rest.
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      // Options of Nest are declared as classes and given as literals.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      // Numbers read well in messages.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // Modules of Nest are classes with decorators only.
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      eqeqeq: 'error',
      'no-console': 'off',
    },
  },
  { files: ['console/src/**/*.{ts,tsx}'], ...reactHooks.configs.flat['recommended-latest'] },
  {
    files: ['test/**/*.ts', '{server,console}/src/**/*.spec.ts'],
    ...jest.configs['flat/recommended'],
    rules: {
      ...jest.configs['flat/recommended'].rules,
      // Some tests hold by ending at all, or through functions of their own.
      'jest/expect-expect': 'off',
      // Cases in a loop have conditions.
      'jest/no-conditional-expect': 'off',
      'jest/valid-title': ['error', { ignoreTypeOfTestName: true }],
      // The second argument is the message.
      'jest/valid-expect': ['error', { maxArgs: 2 }],
    },
  },
);
