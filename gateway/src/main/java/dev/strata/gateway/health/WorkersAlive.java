package dev.strata.gateway.health;

import dev.strata.gateway.scheduling.Scheduler;
import jakarta.inject.Singleton;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.Liveness;

/// Alive while every worker thread is: a lost worker never comes back by itself.
@Liveness
@Singleton
public final class WorkersAlive implements HealthCheck {

  private final Scheduler scheduler;

  WorkersAlive(Scheduler scheduler) {
    this.scheduler = scheduler;
  }

  @Override
  public HealthCheckResponse call() {
    return HealthCheckResponse.named("workers").status(scheduler.alive()).build();
  }
}
