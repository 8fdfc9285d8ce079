// The part of KServe's API (0.15 and later) that the manifests use, written by hand from its Go types
// (pkg/apis/serving/v1alpha1/servingruntime_types.go, v1beta1/component.go, predictor.go); everything that KServe
// takes from Kubernetes is Kubernetes' own type.
import type { IContainer } from 'kubernetes-models/v1/Container';
import type { IVolume } from 'kubernetes-models/v1/Volume';
import type { IObjectMeta } from '@kubernetes-models/apimachinery/apis/meta/v1/ObjectMeta';

type Protocol = 'v1' | 'v2' | 'grpc-v1' | 'grpc-v2';

interface IServingRuntimeSpec {
  supportedModelFormats?: { name: string; version?: string; autoSelect?: boolean; priority?: number }[];
  multiModel?: boolean;
  disabled?: boolean;
  protocolVersions?: Protocol[];
  // A runtime has no securityContext of the pod.
  containers: IContainer[];
  volumes?: IVolume[];
  labels?: { [name: string]: string };
  annotations?: { [name: string]: string };
}

export interface IServingRuntime {
  apiVersion: 'serving.kserve.io/v1alpha1';
  kind: 'ServingRuntime';
  metadata: IObjectMeta;
  spec: IServingRuntimeSpec;
}

export interface IClusterServingRuntime {
  apiVersion: 'serving.kserve.io/v1alpha1';
  kind: 'ClusterServingRuntime';
  metadata: IObjectMeta;
  spec: IServingRuntimeSpec;
}

export interface IInferenceService {
  apiVersion: 'serving.kserve.io/v1beta1';
  kind: 'InferenceService';
  metadata: IObjectMeta;
  spec: {
    predictor: {
      minReplicas?: number;
      maxReplicas?: number;
      scaleTarget?: number;
      scaleMetric?: 'cpu' | 'memory' | 'concurrency' | 'rps';
      canaryTrafficPercent?: number;
      serviceAccountName?: string;
      model: Partial<IContainer> & {
        modelFormat: { name: string; version?: string };
        runtime?: string;
        protocolVersion?: Protocol;
        storageUri?: string;
      };
    };
  };
}
