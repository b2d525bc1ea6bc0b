import featureFlags from 'aws-cdk-lib/recommended-feature-flags.json' with { type: 'json' };
import { App, Tags, Validations, type AppProps } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';

import { BreachclockStack } from './breachclock-stack.ts';
import { readConfiguration } from './configuration/read.ts';
import { settingsFromContext } from './settings.ts';

/** The app with its one stack. */
export interface BreachclockApp {
  readonly app: App;
  readonly stack: BreachclockStack;
}

/**
 * Builds the app from its context: see `Settings` for the keys. With rules, a synthesis fails on what cdk-nag finds.
 *
 * @throws ConfigurationProblems when the configuration folder does not hold up.
 */
export function breachclockApp(props: AppProps = {}, options = { withRules: true }): BreachclockApp {
  // The construct library's version is pinned, and so is with it what a new app starts with.
  const app = new App({ ...props, context: { ...featureFlags, ...props.context } });
  const settings = settingsFromContext(app.node);
  const configuration = readConfiguration(settings.configurationFolder);
  const environment = settings.environment ?? configuration.organisation.environment;
  const stack = new BreachclockStack(app, `Breachclock-${environment}`, {
    description: `Breachclock (${environment}): watches what AI agents do in Salesforce and keeps the 72-hour clock`,
    settings,
    configuration,
    environment,
  });
  Tags.of(stack).add('application', 'breachclock');
  Tags.of(stack).add('environment', environment);
  if (options.withRules) Validations.of(app).addPlugins(new AwsSolutionsChecks(app, { verbose: true }));
  return { app, stack };
}
