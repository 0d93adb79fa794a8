import Synchronization
import Tenancy

/// What is thrown where a process would have died.
struct Crash: Error {}

extension Provisioner {
    /// A provisioner that dies the first time it has taken a step.
    static func dying(after step: ProvisioningStep, _ control: ControlDatabase) -> Provisioner {
        let hasDied = Mutex(false)
        return Provisioner(control, options: .ample) { taken in
            guard taken == step else { return }
            let isFirst = hasDied.withLock { died in
                defer { died = true }
                return !died
            }
            if isFirst { throw Crash() }
        }
    }
}
