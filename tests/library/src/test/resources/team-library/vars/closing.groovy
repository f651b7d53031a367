void call(String service) {
    last9DeploymentMarker serviceName: service
}
